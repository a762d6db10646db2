// Checks the report page in headless Chromium: no request but the page itself,
// no axe-core violation, no figure cut when printed. Needs npm packages
// playwright-core and axe-core and Debian's chromium; see bench/README.md.
//   node bench/page/check.mjs myoaxis-report.html
import {chromium} from 'playwright-core';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const file = process.argv[2] ?? 'myoaxis-report.html';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu']});
const page = await browser.newPage({viewport: {width: 1100, height: 900}});
const requests = [];
page.on('request', r => requests.push(r.url()));
await page.goto(pathToFileURL(file).href);
await page.addScriptTag({content: axe});
const found = await page.evaluate(async () => await window.axe.run());
for (const v of found.violations) console.log(v.id, v.impact, v.help, v.nodes.map(n => n.html.slice(0, 160)));
await page.emulateMedia({media: 'print'});
await page.setViewportSize({width: 690, height: 980}); // A4 less its margins, in CSS px
const cut = await page.evaluate(() => [...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().right > innerWidth + 1 || s.getBoundingClientRect().height > 980).map(s => s.querySelector('title').textContent));
await page.pdf({path: file.replace(/\.html$/, '') + '.pdf', format: 'A4'});
await browser.close();
console.log(`requests ${requests.length}, axe violations ${found.violations.length} (${found.passes.length} rules passed), figures cut in print ${cut.length}`, cut);
process.exit(found.violations.length + cut.length + requests.length - 1 === 0 ? 0 : 1);
