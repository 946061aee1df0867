"""Every golden vector: bodies from a caller's inputs, byte for byte, replies, and refusals."""

import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from mmbot.adapters.zo.wire.actions import Atomic, CreateSession, RevokeSession, encode
from mmbot.adapters.zo.wire.codec import (
    Generation,
    action_raw,
    decode_receipt,
    encode_receipt,
    parse_action,
    split_body,
)
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.refusals import REFUSALS
from mmbot.adapters.zo.wire.signing import (
    Keypair,
    Scheme,
    SessionSigner,
    WalletSigner,
    check_session_action,
    scheme_of,
    signed_bytes,
    verify,
)
from mmbot.errors import ActionError, SecretError, WireError
from tests.unit.adapters.zo.accounts import CATALOG
from tests.unit.adapters.zo.vectors import (
    MISSING,
    Vector,
    action,
    as_today,
    envelope,
    money_action,
    of_kinds,
    vectors,
)

WALLET_KINDS = {"createSession", "revokeSession"}
MONEY_KINDS = {"withdraw", "transfer"}
ORDER_KINDS = {"placeOrder", "cancelOrder", "cancelOrderByClientId", "atomic"}
TRIGGER_KINDS = {"addTrigger", "removeTrigger"}
BODIES = sorted(WALLET_KINDS | MONEY_KINDS | ORDER_KINDS | TRIGGER_KINDS)
SCHEMES = {"hex": Scheme.HEX, "raw": Scheme.RAW, "solana_tx": Scheme.SOLANA}

needs_vectors = pytest.mark.skipif(not vectors(), reason=MISSING)


def each(found: list[Vector]) -> pytest.MarkDecorator:
    """Parametrise by the vectors' names; without the file there is one test, skipped."""
    cases = [pytest.param(vector, id=vector["name"]) for vector in found]
    missing = pytest.param({}, id="missing", marks=pytest.mark.skip(reason=MISSING))
    return pytest.mark.parametrize("vector", cases if vectors() else [missing])


def current(*kinds: str) -> list[Vector]:
    return [vector for vector in of_kinds(*kinds) if vector["current_schema_ok"]]


def legacy(*kinds: str) -> list[Vector]:
    return [vector for vector in of_kinds(*kinds) if not vector["current_schema_ok"]]


def keypair(vector: Vector, owner: str) -> Keypair:
    seed = bytes.fromhex(vector["keys"][f"{owner}_secret_hex"])
    return Keypair(crypto_sign_seed_keypair(seed)[1])


def library_body(vector: Vector, raw: bytes) -> bytes:
    """Sign outside the product, for what its signers refuse."""
    owner = keypair(vector, vector["signer"])
    message = signed_bytes(SCHEMES[vector["signing"]], raw, owner.public)
    if "signed_message_hex" in vector:
        assert message.hex() == vector["signed_message_hex"]
    return raw + crypto_sign(message, owner.reveal())[:64]


def product_raw(vector: Vector) -> bytes:
    if vector["kind"] in MONEY_KINDS:
        return action_raw(money_action(vector))
    return encode(action(vector), envelope(vector["inputs"]), most_parts=10)


@needs_vectors
def test_the_file_holds_every_kind() -> None:
    kinds = {vector["kind"] for vector in vectors()}
    assert kinds == {*BODIES, "key_import", "refused", "receipt", "receipt_malformed"}


@each(current(*BODIES))
def test_the_body_is_rebuilt_from_the_inputs(vector: Vector) -> None:
    raw = product_raw(vector)
    assert raw.hex().endswith(vector["payload_hex"])
    assert library_body(vector, raw).hex() == vector["body_hex"]


@each(current(*WALLET_KINDS))
def test_the_wallet_signs_its_sessions(vector: Vector) -> None:
    inputs = envelope(vector["inputs"])
    made = action(vector)
    assert isinstance(made, CreateSession | RevokeSession)
    signer = WalletSigner(keypair(vector, "wallet"))
    body = signer.sign(made, inputs.timestamp_s, inputs.nonce, now_s=inputs.timestamp_s)
    assert body.hex() == vector["body_hex"]


def names_its_account(vector: Vector) -> bool:
    return envelope(vector["inputs"]).account_id is not None


@each([vector for vector in current(*ORDER_KINDS, *TRIGGER_KINDS) if names_its_account(vector)])
def test_the_session_signs_the_same_body_or_nothing(vector: Vector) -> None:
    inputs = envelope(vector["inputs"])
    made = action(vector)
    assert not isinstance(made, CreateSession | RevokeSession)
    assert inputs.account_id is not None
    signer = SessionSigner(keypair(vector, "session"), inputs.session_id, inputs.account_id)
    try:
        check_session_action(made)
    except ActionError:
        with pytest.raises(ActionError):
            signer.sign(made, inputs.timestamp_s, inputs.nonce, now_s=inputs.timestamp_s)
        return
    body = signer.sign(made, inputs.timestamp_s, inputs.nonce, now_s=inputs.timestamp_s)
    assert body.hex() == vector["body_hex"]


@each(of_kinds(*BODIES))
def test_a_body_is_split_parsed_and_verified(vector: Vector) -> None:
    raw, signature = split_body(bytes.fromhex(vector["body_hex"]))
    assert signature.hex() == vector["signature_hex"]
    request = parse_action(raw)
    scheme = scheme_of(request.action)
    assert scheme is SCHEMES[vector["signing"]]
    pubkey = bytes.fromhex(vector["keys"][f"{vector['signer']}_pubkey_hex"])
    assert verify(scheme, pubkey, raw, signature)
    assert not verify(scheme, pubkey, raw + b"\0", signature)
    assert not any(verify(other, pubkey, raw, signature) for other in set(Scheme) - {scheme})


@each(of_kinds(*BODIES))
def test_an_action_reads_as_its_json(vector: Vector) -> None:
    raw, _ = split_body(bytes.fromhex(vector["body_hex"]))
    request = parse_action(raw)
    told = vector["action_json"]
    if vector["kind"] in {"addTrigger", "transfer"} and not vector["current_schema_ok"]:
        assert request.generation is Generation.S1
        assert request.action == legacy_meaning(told)
        return
    assert request.generation is Generation.S3
    assert request.action == ParseDict(as_today(told), pb.Action())
    assert action_raw(request.action) == raw


def legacy_meaning(told: dict[str, Any]) -> pb.Action:
    """Say in today's messages what the JSON of a legacy AddTrigger or Transfer says."""
    if "transfer" in told:
        fields = dict(told["transfer"])
        fields["to_account_id"] = {"owned": {"account_id": fields["to_account_id"]}}
        return ParseDict({**told, "transfer": fields}, pb.Action())
    old = told["add_trigger"]
    trigger = {"key": old["key"], "trigger_price": old["prices"]["trigger_price"]}
    trigger["market_id"] = old.get("market_id", 0)
    if "limit_price" in old["prices"]:
        trigger["limits"] = {"price": old["prices"]["limit_price"]}
    today = {"session_id": old["session_id"], "trigger": trigger}
    if "account_id" in old:
        today["account_id"] = old["account_id"]
    return ParseDict({**told, "add_trigger": today}, pb.Action())


@each(legacy("addTrigger"))
def test_a_legacy_trigger_is_written_in_todays_form(vector: Vector) -> None:
    raw = product_raw(vector)
    assert raw.hex() not in vector["body_hex"]
    request = parse_action(raw)
    assert request.generation is Generation.S3
    assert request.action == legacy_meaning(vector["action_json"])


@each(of_kinds("refused"))
def test_what_the_venues_client_refuses_is_refused(vector: Vector) -> None:
    inputs = vector["inputs"]
    if inputs["action"] == "key_import":
        with pytest.raises(SecretError):
            Keypair.from_text(key_text(inputs["private_key"]))
        return
    if "priceDecimals" not in inputs.get("market", {"priceDecimals": 0}):
        # Nothing can be scaled for a market that is not listed: the table of markets refuses it.
        with pytest.raises(ValueError, match="not a listed market"):
            CATALOG.listing(inputs["market"]["marketId"], "market")
        return
    with pytest.raises(ActionError):
        encode(action(vector), envelope(inputs))


def key_text(given: str | list[int]) -> str:
    return given if isinstance(given, str) else json.dumps(given)


@each(of_kinds("key_import"))
def test_a_key_is_imported(vector: Vector) -> None:
    owner = Keypair.from_text(key_text(vector["inputs"]["private_key"]))
    keys = vector["keys"]
    assert owner.public.hex() == keys["wallet_pubkey_hex"]
    assert owner.address == keys["wallet_pubkey_base58"]
    assert owner.reveal().hex() == keys["wallet_secret_hex"] + keys["wallet_pubkey_hex"]


@each(of_kinds("receipt"))
def test_a_receipt_is_read_and_written(vector: Vector) -> None:
    body = bytes.fromhex(vector["body_hex"])
    receipt = decode_receipt(body)
    assert encode_receipt(receipt) == body
    told = dict(vector["decoded"])
    if "place_order_result" in told:
        told["trade_or_place"] = told.pop("place_order_result")
    receipt.DiscardUnknownFields()
    assert receipt == ParseDict(told, pb.Receipt())
    if "err_number" in vector:
        assert receipt.WhichOneof("kind") == "err"
        assert receipt.err == vector["err_number"]
        if isinstance(told["err"], str):
            assert REFUSALS[receipt.err].name == told["err"]


@each(of_kinds("receipt_malformed"))
def test_a_malformed_receipt_is_of_unknown_outcome(vector: Vector) -> None:
    body = bytes.fromhex(vector["body_hex"])
    if vector["sdk_result"] == "decodes":
        assert decode_receipt(body).WhichOneof("kind") is not None
        return
    with pytest.raises(WireError):
        decode_receipt(body)


@needs_vectors
def test_a_batch_of_more_parts_needs_to_be_asked_for() -> None:
    for vector in current("atomic"):
        made = action(vector)
        assert isinstance(made, Atomic)
        if len(made.parts) > 4:
            with pytest.raises(ActionError):
                encode(made, envelope(vector["inputs"]))
