import { DAY_MS, TimeZone } from '../../src/circuit/time-zone.js';
import { type Span, windowsOf, type WindowShape } from '../../src/circuit/windows.js';
import { Random } from '../support/random.js';

const HOUR = 3_600_000;
const ms = (text: string) => Date.parse(text);
const shape = (given: Partial<WindowShape> & { sizeMs: number }): WindowShape => ({
  kind: 'tumbling',
  everyMs: given.sizeMs,
  offsetMs: 0,
  timeZone: null,
  ...given,
});
const windowsAt = (given: WindowShape, time: string) => {
  const zone = given.timeZone === null ? null : new TimeZone(given.timeZone);
  return windowsOf(given, zone)(ms(time)).windows.map(textOf);
};
const textOf = ({ start, end }: Span) => [new Date(start).toISOString(), new Date(end).toISOString()];
const utc = (...times: string[]) => times.map((time) => `2001-${time}:00.000Z`);
const newYork = { timeZone: 'America/New_York' };

describe('windows by UTC', () => {
  it('tumble from the first of January 1970 on, later by an offset, also before it', () => {
    expect(windowsAt(shape({ sizeMs: HOUR }), '2001-01-01T10:00:00Z')).toEqual([
      utc('01-01T10:00', '01-01T11:00'),
    ]);
    expect(windowsAt(shape({ sizeMs: HOUR }), '2001-01-01T10:59:59.999Z')).toEqual([
      utc('01-01T10:00', '01-01T11:00'),
    ]);
    expect(windowsAt(shape({ sizeMs: DAY_MS, offsetMs: 6 * HOUR }), '2001-01-01T05:00:00Z')).toEqual([
      ['2000-12-31T06:00:00.000Z', '2001-01-01T06:00:00.000Z'],
    ]);
    expect(windowsAt(shape({ sizeMs: 7 * DAY_MS }), '1969-12-31T12:00:00Z')).toEqual([
      ['1969-12-25T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
    ]);
  });

  it('hop: a time is in all that began no longer ago than their size', () => {
    const hopping = shape({ kind: 'hopping', sizeMs: 10 * 60_000, everyMs: 4 * 60_000 });
    expect(windowsAt(hopping, '1970-01-01T00:10:00Z')).toEqual([
      ['1970-01-01T00:04:00.000Z', '1970-01-01T00:14:00.000Z'],
      ['1970-01-01T00:08:00.000Z', '1970-01-01T00:18:00.000Z'],
    ]);
    expect(windowsAt(hopping, '1970-01-01T00:09:59.999Z')).toHaveLength(3);
  });
});

describe('windows by the clocks of a zone', () => {
  const day = shape({ sizeMs: DAY_MS, ...newYork });

  it('are its days, of 23 and 25 hours where its clocks are changed', () => {
    expect(windowsAt(day, '2001-01-01T12:00:00Z')).toEqual([utc('01-01T05:00', '01-02T05:00')]);
    expect(windowsAt(day, '2001-04-01T12:00:00Z')).toEqual([utc('04-01T05:00', '04-02T04:00')]);
    expect(windowsAt(day, '2001-10-28T12:00:00Z')).toEqual([utc('10-28T04:00', '10-29T05:00')]);
  });

  it('are its weeks, from the day an offset says', () => {
    // The first of January 1970 was a Thursday.
    const week = shape({ sizeMs: 7 * DAY_MS, offsetMs: 4 * DAY_MS, ...newYork });
    expect(windowsAt(week, '2001-04-01T12:00:00Z')).toEqual([utc('03-26T05:00', '04-02T04:00')]);
  });

  it('are its hours: one that is skipped has none, one that comes twice has two', () => {
    const hour = shape({ sizeMs: HOUR, ...newYork });
    expect(windowsAt(hour, '2001-04-01T06:59:00Z')).toEqual([utc('04-01T06:00', '04-01T07:00')]);
    expect(windowsAt(hour, '2001-04-01T07:00:00Z')).toEqual([utc('04-01T07:00', '04-01T08:00')]);
    expect(windowsAt(hour, '2001-10-28T05:30:00Z')).toEqual([utc('10-28T05:00', '10-28T06:00')]);
    expect(windowsAt(hour, '2001-10-28T06:30:00Z')).toEqual([utc('10-28T06:00', '10-28T07:00')]);
    const kolkata = shape({ sizeMs: HOUR, timeZone: 'Asia/Kolkata' });
    expect(windowsAt(kolkata, '2001-01-01T10:00:00Z')).toEqual([utc('01-01T09:30', '01-01T10:30')]);
  });

  it('are longer or shorter parts of a day where the clocks are changed within one', () => {
    const quarter = shape({ sizeMs: 6 * HOUR, ...newYork });
    expect(windowsAt(quarter, '2001-10-28T09:59:00Z')).toEqual([utc('10-28T04:00', '10-28T11:00')]);
    expect(windowsAt(quarter, '2001-04-01T05:00:00Z')).toEqual([utc('04-01T05:00', '04-01T10:00')]);
  });

  it('begin when the clocks are put on where they skip midnight', () => {
    const brazil = shape({ sizeMs: DAY_MS, timeZone: 'America/Sao_Paulo' });
    expect(windowsAt(brazil, '2001-10-14T12:00:00Z')).toEqual([utc('10-14T03:00', '10-15T02:00')]);
  });

  it('do not come back where the clocks are put back over midnight', () => {
    const newfoundland = shape({ sizeMs: DAY_MS, timeZone: 'America/St_Johns' });
    // At one minute past midnight of the 28th the clocks went back to 23:01 of the 27th.
    const eighth = [utc('10-28T02:30', '10-29T03:30')];
    expect(windowsAt(newfoundland, '2001-10-28T02:30:30Z')).toEqual(eighth);
    expect(windowsAt(newfoundland, '2001-10-28T02:45:00Z')).toEqual(eighth);
    expect(windowsAt(newfoundland, '2001-10-28T03:45:00Z')).toEqual(eighth);
  });

  it('skip a day that a zone skipped', () => {
    const samoa = shape({ sizeMs: DAY_MS, timeZone: 'Pacific/Apia' });
    expect(windowsAt(samoa, '2011-12-30T09:59:00Z')).toEqual([
      ['2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z'],
    ]);
    expect(windowsAt(samoa, '2011-12-30T10:00:00Z')).toEqual([
      ['2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z'],
    ]);
  });

  it('hop over a day that a zone skipped: no two of them begin at one time', () => {
    const hopping = shape({
      kind: 'hopping',
      sizeMs: 3 * DAY_MS,
      everyMs: DAY_MS,
      timeZone: 'Pacific/Apia',
    });
    // Of 2011 there was no 30 December: the 31st followed the 29th.
    expect(windowsAt(hopping, '2011-12-30T12:00:00Z')).toEqual([
      ['2011-12-29T10:00:00.000Z', '2011-12-31T10:00:00.000Z'],
      ['2011-12-30T10:00:00.000Z', '2012-01-02T10:00:00.000Z'],
    ]);
  });

  it('hop by days, and cumulate by hours of a day', () => {
    const twoDays = shape({ kind: 'hopping', sizeMs: 2 * DAY_MS, everyMs: DAY_MS, ...newYork });
    expect(windowsAt(twoDays, '2001-04-01T12:00:00Z')).toEqual([
      utc('03-31T05:00', '04-02T04:00'),
      utc('04-01T05:00', '04-03T04:00'),
    ]);
    const soFar = shape({ kind: 'cumulating', sizeMs: DAY_MS, everyMs: 12 * HOUR, ...newYork });
    expect(windowsAt(soFar, '2001-04-01T12:00:00Z')).toEqual([
      utc('04-01T05:00', '04-01T16:00'),
      utc('04-01T05:00', '04-02T04:00'),
    ]);
  });
});

describe('windows of any shape', () => {
  const zones = [
    null,
    'America/New_York',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'Africa/Casablanca',
  ];
  const shapes: WindowShape[] = zones.flatMap((timeZone) => [
    shape({ sizeMs: HOUR, timeZone }),
    shape({ sizeMs: 15 * 60_000, timeZone }),
    shape({ sizeMs: 8 * HOUR, offsetMs: 2 * HOUR, timeZone }),
    shape({ sizeMs: DAY_MS, offsetMs: 6 * HOUR, timeZone }),
    shape({ sizeMs: 7 * DAY_MS, offsetMs: 4 * DAY_MS, timeZone }),
    shape({ kind: 'hopping', sizeMs: 3 * DAY_MS, everyMs: DAY_MS, timeZone }),
    shape({ kind: 'cumulating', sizeMs: DAY_MS, everyMs: 3 * HOUR, timeZone }),
    shape({ kind: 'cumulating', sizeMs: 2 * DAY_MS, everyMs: DAY_MS, offsetMs: 5 * HOUR, timeZone }),
  ]);

  it.each(shapes.map((one) => [JSON.stringify(one), one] as const))(
    'hold the times they are given for, and are the same for all of them: %s',
    (_, one) => {
      const random = new Random(7);
      const of = windowsOf(one, one.timeZone === null ? null : new TimeZone(one.timeZone));
      const start = ms('2011-01-01T00:00:00Z');
      const wrong: string[] = [];
      for (let time = start; time < start + 400 * DAY_MS; time += 1 + random.below(9 * HOUR)) {
        const { windows, from, to } = of(time);
        const text = JSON.stringify(windows);
        const holds =
          from <= time && time < to && windows.every(({ start, end }) => start <= time && time < end);
        const same = [from, to - 1, from + random.below(to - from)].every((other) => {
          const again = of(other);
          return again.from === from && again.to === to && JSON.stringify(again.windows) === text;
        });
        // One after another: where a window ends the next begins.
        const adjoins = one.kind !== 'tumbling' || (of(to).from === to && windows[0]!.end === to);
        if (!holds || !same || !adjoins) wrong.push(new Date(time).toISOString());
      }
      expect(wrong).toEqual([]);
    },
  );
});
