"""Who signs for the wallet: a hardware wallet, a file, or the key that the settings tell of."""

import argparse
import os

from mmbot.adapters.zo.keys.ledger_wallet import ledger_wallet
from mmbot.adapters.zo.keys.session import Wallet
from mmbot.adapters.zo.keys.wallet_key import keypair_file, wallet_keypair
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import WalletSigner
from mmbot.cli.output import say
from mmbot.config.schema import Config
from mmbot.errors import UsageError


def wallet(args: argparse.Namespace, config: Config) -> Wallet:
    """What signs for the wallet: a device, the file of `--wallet`, or as configured."""
    by_device = getattr(args, "ledger", False)
    if args.wallet is not None:
        if by_device:
            raise UsageError("--wallet and --ledger exclude each other")
        return WalletSigner(keypair_file(args.wallet))
    if not by_device and config.secrets.wallet_key.source != "ledger":
        return WalletSigner(wallet_keypair(config.secrets, os.environ, say))
    if not hasattr(args, "ledger"):
        raise UsageError("a hardware wallet makes sessions only: they end by themselves")
    found = ledger_wallet(config.secrets.ledger)
    say(f"wallet {base58.encode(found.pubkey)}: confirm the session on the device within a minute")
    return found
