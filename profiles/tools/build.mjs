// Compiles a staged SUSHI project (tools/stage.py) into one flat folder: node tools/build.mjs STAGE OUT
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { corePackage } from './core_package.mjs';

const require = createRequire(import.meta.url);
const [stage, out] = process.argv.slice(2);
if (!stage || !out) {
  console.error('usage: node tools/build.mjs STAGE OUT');
  process.exit(2);
}

// Beside the definitions that it is made of: a new `npm ci` makes it anew.
const home = join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules', '.core-package');
corePackage(home);

// SUSHI asks registries for the newest of three packages that we do not use; an address where nothing listens keeps it
// offline, and it goes on without them.
const offline = { FPL_REGISTRY: 'http://127.0.0.1:9', HTTPS_PROXY: '', HTTP_PROXY: '', npm_config_offline: 'true' };
const ASKED_IN_VAIN = /Failed to load automatically-provided hl7\.(fhir\.uv\.(tools|extensions)|terminology)\.r[45]#latest/;

const sushi = spawnSync(process.execPath, [require.resolve('fsh-sushi/dist/app.js'), 'build', '--snapshot', stage], {
  env: { ...process.env, ...offline, HOME: home },
  encoding: 'utf8',
  maxBuffer: 64 << 20,
});
const said = `${sushi.stdout}${sushi.stderr}`;
const errors = said.split('\n').filter((line) => /^error\b/.test(line));
const warnings = said.split('\n').filter((line) => /^warn\b/.test(line) && !ASKED_IN_VAIN.test(line));
if (sushi.status !== 0 || errors.length || warnings.length) {
  console.error(said);
  console.error(`SUSHI: ${errors.length} errors, ${warnings.length} warnings.`);
  process.exit(1);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const made = join(stage, 'fsh-generated', 'resources');
const files = readdirSync(made).sort();
for (const file of files) {
  const resource = JSON.parse(readFileSync(join(made, file), 'utf8'));
  // Mappings to other standards are nine tenths of a snapshot, and nothing that a validator reads.
  delete resource.mapping;
  for (const view of ['snapshot', 'differential']) {
    for (const element of resource[view]?.element ?? []) delete element.mapping;
  }
  writeFileSync(join(out, file), JSON.stringify(resource, null, 1) + '\n');
}
const examples = readdirSync(join(stage, 'examples')).sort();
for (const file of examples) copyFileSync(join(stage, 'examples', file), join(out, file));
console.log(`SUSHI: 0 errors, 0 warnings; ${files.length} definitions and ${examples.length} examples in ${out}`);
