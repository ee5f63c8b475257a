import { count, stream, table, view } from 'stillwater';
import { z } from 'zod';
import { type Declared, StillwaterModule } from '../../src/stillwater.module.js';

/** Written as a module without type checks would write them. */
const loose: any = { stream, table, view };
const flights: any = stream('flights', { schema: z.object({ origin: z.string(), number: z.int() }) });
const airports: any = table('airports', {
  schema: z.object({ iata: z.string(), code: z.int() }),
  key: 'iata',
});

const start = (...views: Declared[]): string => {
  try {
    StillwaterModule.forRoot({ connection: 'redis://127.0.0.1:1', views });
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return 'started';
};

describe('an application starts with none of its views', () => {
  test('where two views have one name', () => {
    const one = loose.view('busy', { from: flights.groupBy('origin').aggregate({ n: count() }) });
    const two = loose.view('busy', { from: flights.groupBy('number').aggregate({ n: count() }) });
    expect(start(one, two)).toMatch(/"busy"[^]*declarations\.spec\.ts[^]*declarations\.spec\.ts/);
  });

  test('where views read one another in a circle', () => {
    const inner = loose.view('inner', { from: airports });
    const outer = loose.view('outer', { from: inner });
    // The functions cannot give a circle, for a view must be there before another reads it; a program that builds declarations can.
    const circle: any = { ...inner.declaration, plan: { ...outer.declaration.plan } };
    const round: any = { ...outer.declaration, plan: { ...outer.declaration.plan, source: circle } };
    circle.plan.source = round;
    const declared: any = Object.defineProperty({ declaration: round }, Symbol.for('stillwater.declared'), {
      value: true,
    });
    expect(start(declared)).toMatch(/inner[^]*outer|outer[^]*inner/);
  });

  test('where columns of different types are joined', () => {
    const joined = loose.view('joined', {
      from: flights.join({ airport: airports }, { on: { origin: 'code' } }),
      key: 'origin',
    });
    expect(start(joined)).toMatch(/"origin"[^]*"code"|origin[^]*code/);
  });

  test('and all that is wrong is said at once, each with the place where it is written', () => {
    const one = loose.view('one', { from: flights.groupBy('orign').aggregate({ n: count() }) });
    const two = loose.view('two', { from: flights.where(async () => true), key: 'origin' });
    const message = start(one, two);
    expect(message).toMatch(/2 declarations are wrong/);
    expect(message.match(/written at\s+test\/bad-input\/declarations\.spec\.ts:\d+/g)).toHaveLength(2);
  });
});
