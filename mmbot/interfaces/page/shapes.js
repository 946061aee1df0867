// Numbers as text and figures as elements. Nothing here is written as HTML.

const plain = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const count = new Intl.NumberFormat("en-US");
const MINUS = "\u2212";

export const NONE = "\u2013";

export function usd(uusd) {
  return uusd === null || uusd === undefined ? NONE : signless(plain.format(uusd / 1e6));
}

export function gain(uusd) {
  if (uusd === null || uusd === undefined) return NONE;
  const text = signless(plain.format(uusd / 1e6));
  return uusd > 0 && text !== "0.00" ? `+${text}` : text;
}

export function tone(uusd) {
  return Math.abs(uusd ?? 0) < 5000 ? "" : uusd > 0 ? "up" : "down";
}

export function percent(ratio, digits = 0) {
  return ratio === null || ratio === undefined ? NONE : `${signless((100 * ratio).toFixed(digits))} %`;
}

export function whole(number) {
  return count.format(number);
}

export function ms(value) {
  if (value === null || value === undefined) return NONE;
  return value < 1 ? `${(value * 1000).toFixed(0)} µs` : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

export function bps(value) {
  return value === null || value === undefined ? NONE : `${signless(value.toFixed(1))} bps`;
}

export function age(value) {
  return value === null || value === undefined ? NONE : `${(value / 1000).toFixed(1)} s`;
}

// A number of steps, as exact as the step: 3 steps of "0.10" are "0.30".
export function steps(number, step, half = false) {
  const decimals = (step.split(".")[1] ?? "").length;
  const value = (number * Number(step)) / (half ? 2 : 1);
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals + (half ? 1 : 0) };
  return signless(new Intl.NumberFormat("en-US", digits).format(value));
}

export function decimal(text) {
  const [head, tail] = text.split(".");
  const sign = head.startsWith("-") ? MINUS : "";
  const digits = count.format(BigInt(head.replace("-", "") || "0"));
  return sign + digits + (tail ? `.${tail}` : "");
}

export function span(seconds) {
  const minutes = Math.floor(seconds / 60);
  const days = Math.floor(minutes / 1440);
  const clock = [Math.floor((minutes % 1440) / 60), minutes % 60];
  const text = clock.map((each) => String(each).padStart(2, "0")).join(":");
  return days ? `${days} d ${text}` : text;
}

export function clock(ns) {
  return new Date(ns / 1e6).toISOString().slice(11, 19);
}

function signless(text) {
  return text.replace(/^-(0(\.0+)?)$/, "$1").replace("-", MINUS);
}

export function element(tag, { text, cls, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (cls) made.className = cls;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function row(head, ...cells) {
  const made = element("tr");
  if (head !== null) made.append(element("th", { text: head, scope: "row" }));
  for (const cell of cells) {
    const [text, cls] = Array.isArray(cell) ? cell : [cell, ""];
    made.append(element("td", { text, cls }));
  }
  return made;
}

export function fill(id, ...children) {
  document.getElementById(id).replaceChildren(...children);
}

export function say(id, text, cls) {
  const found = document.getElementById(id);
  if (found.textContent !== text) found.textContent = text;
  if (cls !== undefined) found.className = cls;
  return found;
}

export function pairs(id, entries) {
  fill(id, ...entries.flatMap(([name, text, cls]) => [
    element("dt", { text: name }), element("dd", { text, cls }),
  ]));
}
