// SPDX-License-Identifier: ISC
// look.mjs - look at pages of the status site in Debian's Chromium.
//
//   node look.mjs BASE PATH...   prints JSON: for each path what axe-core and
//   html-validate find, requests to other hosts, and what went wrong.
//
// Each page is looked at in light and dark, on a narrow phone and a desktop; once
// without JavaScript.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { HtmlValidate } from 'html-validate';

const require = createRequire(import.meta.url);
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const [base, ...paths] = process.argv.slice(2);
const host = new URL(base).host;

// Rules of taste are left out; what stands is about being right.
const validator = new HtmlValidate({
  extends: ['html-validate:standard'],
  rules: {
    'no-inline-style': 'error', 'no-implicit-close': 'error',
    'long-title': 'off', 'no-trailing-whitespace': 'off',
    'tel-non-breaking': 'off',
  },
});

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking'],
});

async function look(path, scheme, width, js) {
  // axe has to run in the page; what the policy itself does is looked at
  // without JavaScript being added.
  const context = await browser.newContext({
    colorScheme: scheme, viewport: { width, height: 844 },
    javaScriptEnabled: js, bypassCSP: js, timezoneId: 'Africa/Lusaka',
    reducedMotion: 'reduce', ignoreHTTPSErrors: true,
  });
  const page = await context.newPage();
  const found = { foreign: [], errors: [], axe: [] };
  page.on('request', (r) => {
    if (new URL(r.url()).host !== host) found.foreign.push(r.url());
  });
  page.on('pageerror', (e) => found.errors.push(String(e)));
  page.on('console', (m) => {
    if (m.type() === 'error' && !/status of (404|422)/.test(m.text()))
      found.errors.push(m.text());
  });
  page.on('dialog', (d) => { found.errors.push('a dialog'); d.dismiss(); });
  const r = await page.goto(base + path, { waitUntil: 'load' });
  found.status = r.status();
  found.text = await page.locator('main').innerText();
  const wide = await page.evaluate(() => {
    const over = [...document.querySelectorAll('body *')].find(
      (e) => e.getBoundingClientRect().right > innerWidth + 0.5);
    return document.documentElement.scrollWidth > innerWidth &&
      (over ? over.outerHTML.slice(0, 300) : 'something');
  }).catch(() => false);
  if (js && wide) found.errors.push(`wider than ${width}: ${wide}`);
  if (js) {
    found.zones = await page.locator('time .zone').count();
    await page.evaluate(axe);
    const result = await page.evaluate('axe.run()');
    found.axe = result.violations.map(
      (v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120))}`);
  }
  await context.close();
  return found;
}

const out = {};
for (const path of paths) {
  const text = await (await fetch(base + path)).text();
  const report = await validator.validateString(text);
  const html = report.results.flatMap((r) => r.messages.map(
    (m) => `${m.ruleId}: ${m.message} (${m.line}:${m.column})`));
  out[path] = {
    html,
    plain: await look(path, 'light', 390, false),
    light: await look(path, 'light', 320, true),
    dark: await look(path, 'dark', 1280, true),
  };
}

// The policy in force, and what a page with JavaScript does under it.
{
  const context = await browser.newContext({ timezoneId: 'Africa/Lusaka' });
  const page = await context.newPage();
  const errors = [];
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
  page.on('pageerror', (e) => errors.push(String(e)));
  page.on('dialog', (d) => { errors.push('a dialog'); d.dismiss(); });
  await page.goto(base + '/');
  // One tab stop for the bars of a system.
  const stops = await page.locator('.days[tabindex="0"]').count();
  const lists = await page.locator('.days').count();
  const zones = await page.locator('time .zone').count();
  // Who comes back to it gets it anew when it is a minute old, and not before.
  const back = async (age) => {
    const asked = page.waitForNavigation({ timeout: 1500 })
      .then(() => true, () => false);
    await page.evaluate((ms) => {
      performance.now = () => ms;
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, age);
    return asked;
  };
  out.policy = { errors, zones, stops, lists, young: await back(59000),
                 old: await back(61000) };
  await context.close();
}
await browser.close();
console.log(JSON.stringify(out));
