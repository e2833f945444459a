// Writes a picture of each dashboard: draw.mjs DASHBOARDS RECORDING PAGE OUTPUT CHROMIUM. It runs where the packages of
// package.json are installed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';

const [dashboards, recordingFile, page, output, chromium] = process.argv.slice(2);
const recording = JSON.parse(readFileSync(recordingFile, 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'screenshots-'));
try {
  await build({
    entryPoints: [resolve(page)], bundle: true, minify: true, outfile: join(work, 'page.js'), loader: { '.svg': 'dataurl', '.ttf': 'dataurl' },
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' }, nodePaths: [resolve('node_modules')], logLevel: 'error',
  });
  for (const file of readdirSync(dashboards)) {
    const dashboard = JSON.parse(readFileSync(join(dashboards, file), 'utf8'));
    const height = 44 + 36 * Math.max(...dashboard.panels.map((p) => p.gridPos.y + p.gridPos.h));
    const html = join(work, 'page.html');
    const input = JSON.stringify({ dashboard, file, recording }).replaceAll('<', '\\u003c');
    writeFileSync(html, `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="page.css"><body><div id="page"></div>
<script>window.input = ${input}</script><script src="page.js"></script>`);
    const picture = resolve(output, `dashboard-${basename(file, '.json')}.png`);
    execFileSync(chromium, [
      '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--allow-file-access-from-files',
      `--user-data-dir=${join(work, 'profile')}`, `--window-size=1608,${height}`, '--virtual-time-budget=8000',
      `--screenshot=${picture}`, `file://${html}`,
    ], { stdio: ['ignore', 'ignore', 'inherit'] });
    console.log(picture);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
