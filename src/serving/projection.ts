import { StillwaterError } from '../errors/stillwater-error.js';
import { columnAt } from '../runtime/reading/order-words.js';
import type { ViewDescription } from '../runtime/reading/view-description.js';
import { readPath } from '../zset/row-key.js';
import type { Row, Value } from '../zset/value.js';

/** What `select=a,b,alias:path` makes of rows; nothing or `*` leaves them as they are. */
export function projection(select: string | null, description: ViewDescription): (row: Row) => Row {
  if (select === null || select.trim() === '*') return (row) => row;
  const columns = select.split(',').map((text) => {
    const found = /^(?:([^:]+):)?(.+)$/.exec(text.trim());
    const path = found?.[2] ?? '';
    columnAt(description, path);
    return { name: found?.[1] ?? path, read: readPath(path) };
  });
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new StillwaterError('malformed-select', {
      what: `"${twice}" would be in each row twice.`,
      evidence: `select  ${select}`,
      consequence: 'Nothing was read.',
      remedy: 'Give one of them another name: select=name:path.',
    });
  return (row) => {
    const out: Record<string, Value> = {};
    for (const { name, read } of columns)
      Object.defineProperty(out, name, {
        value: read(row),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return out;
  };
}
