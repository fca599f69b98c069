import fc from 'fast-check';
import { synthesise, validate } from '../../../lib/sandbox/catalogue';
import { baseUrl, decrypt, encrypt, everyOperation, partsOf, sampleOf } from './support';

const operation = fc.constantFrom(...everyOperation());

test('whatever a body holds, it is validated, and gets a response', () => {
  fc.assert(
    fc.property(operation, fc.jsonValue(), fc.dictionary(fc.string(), fc.string()), (operation, value, texts) => {
      const { body } = sampleOf(operation, false);
      // A member of the right name with anything in it, and anything as a whole.
      const names = Object.keys(body ?? {});
      const spoilt = { ...body, [names[names.length >> 1] ?? 'x']: value };
      const isV2 = operation.protocol === 'v2';
      for (const sent of isV2 ? [texts] : [value, spoilt]) {
        const query = new URLSearchParams(texts);
        const issues = validate(operation, { body: sent, query, variables: texts }, decrypt);
        for (const { field, message } of issues)
          expect([typeof field, message]).toEqual(['string', expect.any(String)]);
        const request = { method: 'POST', target: '/', body: sent, query, variables: texts };
        expect(synthesise(operation, request, { baseUrl, encrypt, decrypt }).status).toBeGreaterThan(199);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a body that comes after others is not judged by them', () => {
  fc.assert(
    fc.property(operation, fc.jsonValue(), (operation, value) => {
      const right = partsOf(sampleOf(operation, true));
      const body = operation.protocol === 'v2' ? {} : value;
      const before = validate(operation, { body }, decrypt);
      expect(validate(operation, right, decrypt)).toEqual([]);
      expect(validate(operation, { body }, decrypt)).toEqual(before);
    }),
    { numRuns: 300 },
  );
});
