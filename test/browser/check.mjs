// Looks at each page of a folder in Chromium: as wide as a desk and as a phone, light and dark, folded and unfolded. Nothing may
// be asked of another server, nothing may be wider than the screen, axe may find nothing, and twenty tables fit on three sheets.
// With --pictures it leaves a picture of each beside the page.
import { chromium } from "playwright-core";
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const [folder, ...options] = process.argv.slice(2);
const axe = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const VIEWS = [[1280, "light"], [1280, "dark"], [390, "light"], [390, "dark"]];
const SHEETS = 3;
const wrong = [];
let looks = 0;

const browser = await chromium.launch({ executablePath: process.env.CHROME, args: ["--no-sandbox"] });
for (const file of readdirSync(folder).filter((name) => name.endsWith(".html")).sort()) {
  for (const [width, colorScheme] of VIEWS) await look(file, width, colorScheme);
  if (/^audit-(20|sound|bad)-/.test(file)) for (const format of ["A4", "Letter"]) await print(file, format);
}
await browser.close();
console.log(wrong.length ? wrong.join("\n") : "Every page is as it should be.");
console.log(`${looks - wrong.length} passed, ${wrong.length} failed`);
process.exit(wrong.length ? 1 : 0);

async function open(file, options) {
  const page = await browser.newPage({ bypassCSP: true, ...options });
  page.on("request", (request) => request.url().startsWith("file:") || wrong.push(`${file} asks ${request.url()}`));
  await page.goto(`file://${resolve(folder, file)}`);
  return page;
}

async function look(file, width, colorScheme) {
  const page = await open(file, { viewport: { width, height: 900 }, colorScheme });
  const where = `${file}, ${width} px, ${colorScheme}`;
  if (options.includes("--pictures")) await page.screenshot({ path: join(folder, `${file}-${width}-${colorScheme}.png`), fullPage: !/2000/.test(file) });
  await expect(page, `${where}, folded`);
  await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
  await expect(page, `${where}, unfolded`);
  // Of thousands of rows axe says what it says of the first fifty.
  if (!/2000/.test(file)) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run());
    looks += 1;
    violations.forEach(({ id, help, nodes }) => wrong.push(`${where}: ${id}, ${help}: ${nodes[0].html.slice(0, 160)}`));
  }
  await page.close();
}

async function expect(page, where) {
  looks += 1;
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (over > 0) wrong.push(`${where}: ${over} px wider than the screen`);
}

async function print(file, format) {
  const page = await open(file, {});
  const pdf = (await page.pdf({ format, preferCSSPageSize: false, printBackground: true })).toString("latin1");
  const sheets = pdf.match(/\/Type\s*\/Page\b/g).length;
  looks += 1;
  if (sheets > SHEETS) wrong.push(`${file}: ${sheets} sheets of ${format}, and ${SHEETS} is the most for twenty tables`);
  await page.close();
}
