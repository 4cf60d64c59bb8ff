// Opens a report in a real browser. REPORT: the file; SCREENSHOTS: folder to write pictures into
// (optional); CHROMIUM: the browser (default /usr/bin/chromium).

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

assert.ok(process.env.REPORT, "REPORT must name the report.html to open");
const report = pathToFileURL(resolve(process.env.REPORT)).href;
const screenshots = process.env.SCREENSHOTS;
const sizes = [
  { width: 1440, height: 900 },
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
];

let profile;
let context;

before(async () => {
  profile = mkdtempSync(join(tmpdir(), "consilience-browser-"));
  context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    acceptDownloads: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

after(async () => {
  await context?.close();
  rmSync(profile, { recursive: true, force: true });
});

// A page with the report, and what it complained about or asked for.
const open = async ({ width, height }, scheme) => {
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on("console", (m) => complaints.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(String(e)));
  page.on("request", (r) => {
    if (!r.url().startsWith("data:")) requests.push(r.url());
  });
  await page.emulateMedia({ colorScheme: scheme });
  await page.setViewportSize({ width, height });
  await page.goto(report, { waitUntil: "load" });
  return { page, complaints, requests };
};

const background = (page) =>
  page.evaluate(() => getComputedStyle(document.body).backgroundColor);

for (const scheme of ["light", "dark"]) {
  for (const size of sizes) {
    test(`opens quietly at ${size.width} px, ${scheme}`, async () => {
      const { page, complaints, requests } = await open(size, scheme);
      assert.deepEqual(complaints, []);
      assert.deepEqual(requests, [report]);
      const [content, view] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ]);
      assert.ok(content <= view, `page is ${content} px wide in a view of ${view} px`);
      assert.notEqual((await page.locator(".answer").innerText()).trim(), "");
      for (const figure of await page.locator("figure .panel > svg").all()) {
        const box = await figure.boundingBox();
        assert.ok(box.width > 100 && box.height > 60);
        assert.notEqual((await figure.getAttribute("aria-label")) ?? "", "");
      }
      if (screenshots) {
        mkdirSync(screenshots, { recursive: true });
        const name = `report-${size.width}-${scheme}`;
        await page.screenshot({ path: join(screenshots, `${name}.png`) });
        await page.screenshot({ path: join(screenshots, `${name}-full.png`), fullPage: true });
      }
      await page.close();
    });
  }
}

test("the theme follows the system until the reader chooses", async () => {
  const { page } = await open(sizes[1], "light");
  const light = await background(page);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await background(page);
  assert.notEqual(light, dark);
  await page.click("#theme");
  assert.equal(await background(page), light);
  await page.click("#theme");
  assert.equal(await background(page), dark);
  // Figures follow: the first text of the first figure is not the colour of its attribute.
  const [shown, written] = await page.evaluate(() => {
    const text = document.querySelector("figure svg text");
    return [getComputedStyle(text).fill, text.getAttribute("fill")];
  });
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(written.slice(at, at + 2), 16));
  assert.notEqual(shown, `rgb(${r}, ${g}, ${b})`);
  await page.close();
});

test("the table sorts by a click and by the keyboard, missing values last", async () => {
  const { page, complaints } = await open(sizes[1], "light");
  const table = page.locator("table[id$=-table]").first();
  const head = table.locator("thead th", { hasText: "Score" });
  const column = () =>
    table.evaluate((t) =>
      [...t.tBodies[0].rows].map((row) => row.cells[3].dataset.v ?? null),
    );
  const isSorted = (values, sign) => {
    const numbers = values.filter((v) => v !== null).map(Number);
    const lastNumber = values.findLastIndex((v) => v !== null);
    assert.equal(lastNumber + 1, numbers.length, "missing values come last");
    return numbers.every((v, i) => i === 0 || sign * (v - numbers[i - 1]) >= 0);
  };
  await head.locator("button").click();
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  assert.ok(isSorted(await column(), 1));
  await head.locator("button").focus();
  await page.keyboard.press("Enter");
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  assert.ok(isSorted(await column(), -1));
  assert.deepEqual(complaints, []);
  await page.close();
});

test("the filter shows one target", async (t) => {
  const { page } = await open(sizes[1], "light");
  const select = page.locator("[data-filter]").first();
  if ((await select.count()) === 0) return t.skip("one target, no filter");
  const name = await select.locator("option").nth(1).innerText();
  await select.selectOption({ index: 1 });
  const shown = await page
    .locator("table[id$=-table]")
    .first()
    .evaluate((table) =>
      [...table.tBodies[0].rows].filter((r) => r.offsetParent).map((r) => r.cells[0].innerText),
    );
  assert.ok(shown.length > 0);
  const plain = (text) => text.replace(/\s+/g, " ").trim();
  assert.deepEqual([...new Set(shown.map(plain))], [plain(name)]);
  await page.close();
});

const downloaded = async (page, click) => {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return [download.suggestedFilename(), readFileSync(await download.path())];
};

test("scores and figures can be saved", async () => {
  const { page, complaints } = await open(sizes[1], "dark");
  const rows = await page
    .locator("table[id$=-table]")
    .first()
    .evaluate((t) => t.tBodies[0].rows.length);
  const [csvName, csv] = await downloaded(page, () => page.locator("[data-csv]").first().click());
  assert.match(csvName, /\.csv$/);
  const [header] = csv.toString().split("\n");
  assert.match(header, /^analysis,target,kind,model,layer,/);
  assert.ok(csv.toString().trim().split("\n").length >= rows + 1);

  for (const figure of await page.locator("figure").all()) {
    const panel = figure.locator(".panel").first();
    await panel.hover();
    const [, svg] = await downloaded(page, () => panel.locator("[data-as=svg]").click());
    assert.match(svg.toString(), /^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    // Stands alone: whatever it refers to, it holds.
    for (const [, id] of svg.toString().matchAll(/<use href="#([^"]+)"/g)) {
      assert.ok(svg.includes(`id="${id}"`), `${id} is defined`);
    }
    const [, png] = await downloaded(page, () => panel.locator("[data-as=png]").click());
    assert.equal(png.subarray(1, 4).toString(), "PNG");
    assert.ok(png.length > 2000, "the picture is not blank");
  }
  assert.deepEqual(complaints, []);
  await page.close();
});

test("everything that acts can be reached by the keyboard and has a name", async () => {
  const { page } = await open(sizes[2], "light");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, select, [role=region], [role=img]")]
      .filter(
        (e) =>
          !e.textContent.trim() &&
          !e.getAttribute("aria-label") &&
          !e.getAttribute("aria-labelledby"),
      )
      .map((e) => e.outerHTML.slice(0, 80)),
  );
  assert.deepEqual(nameless, []);
  await page.close();
});
