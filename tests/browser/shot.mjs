// SPDX-License-Identifier: ISC
// shot.mjs - a picture of a page: node shot.mjs URL FILE WIDTH light|dark [HEIGHT]
// Without a height, all of it.
import { chromium } from 'playwright-core';

const [url, path, width, colorScheme, height] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const context = await browser.newContext({
  colorScheme, timezoneId: 'UTC', locale: 'en', ignoreHTTPSErrors: true,
  viewport: { width: Number(width), height: Number(height) || 900 },
});
const page = await context.newPage();
// What a script asks for has come, too.
await page.goto(url, { waitUntil: 'networkidle' });
await page.screenshot({ path, fullPage: !height });
await browser.close();
