import { z } from 'zod';
import { stream, declarationOf, view, count } from '../../src/index.js';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import { encodeEvents } from '../../src/runtime/encode-record.js';
const deep = (n: number) => '['.repeat(n) + ']'.repeat(n);
test('deep', () => {
  for (const schema of [z.object({ k: z.string(), any: z.any() }), z.object({ k: z.string(), any: z.json() }), z.object({ k: z.string(), any: z.array(z.unknown()) })]) {
    const s = stream('s', { schema: schema as any });
    const d = new EntryDecoder((s as any).declaration, 0);
    for (const n of [1000, 3000, 6000, 20000, 200000])
    try { const b = d.decode([['1-1', ['data', `{"k":"a","any":${deep(n)}}`]]]);
      let t=''; try { JSON.stringify(b.rows); t='stringify ok' } catch (e) { t = 'stringify ' + e }
      console.log(n, b.rows.length, b.errors.map(e=>e.reason).join().slice(0,200), t);
    } catch (e) { console.log(n, 'THREW', String(e).slice(0,200)); }
    try { console.log(encodeEvents((s as any).declaration, [JSON.parse(`{"k":"a","any":${deep(6000)}}`)]).length) } catch (e) { console.log('ENC', String(e).slice(0,200)); }
  }
});
