// Returns what is written on the page with too little contrast, by WCAG 2: 4.5, or 3 for large text.
const channels = (text) => text.match(/[\d.]+/g).map(Number);
const linear = (value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
};
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const over = (top, ground) => {
  const alpha = top[3] ?? 1;
  return [0, 1, 2].map((i) => top[i] * alpha + ground[i] * (1 - alpha));
};
const ground = (element) => {
  const chain = [];
  for (let each = element; each; each = each.parentElement) chain.push(each);
  return chain.reverse().reduce(
    (found, each) => over(channels(getComputedStyle(each).backgroundColor), found), [255, 255, 255],
  );
};
const ratio = (a, b) => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};
const weak = [];
let looked = 0;
for (const element of document.querySelectorAll("body *")) {
  const words = [...element.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
  if (!words || !element.checkVisibility() || element.closest(".hidden, .skip, noscript")) continue;
  looked += 1;
  const style = getComputedStyle(element);
  const inChart = element.closest("svg");
  const colour = channels(inChart ? style.fill : style.color);
  const grounds = [ground(inChart ? inChart.closest("section") : element)];
  // Sizes stand on the bars of the book.
  const bar = element.querySelector(":scope > i");
  if (bar) grounds.push(channels(getComputedStyle(bar).backgroundColor));
  const large = parseFloat(style.fontSize) >= 24
    || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  for (const each of grounds) {
    const found = ratio(over(colour, each), each);
    if (found < (large ? 3 : 4.5)) weak.push([element.outerHTML.slice(0, 80), found.toFixed(2)]);
  }
}
return [looked, weak];
