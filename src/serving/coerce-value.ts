import { StillwaterError } from '../errors/stillwater-error.js';
import type { DescribedType } from '../runtime/reading/view-description.js';
import { instantOf } from '../view/instant.js';
import { decimalText, plainDecimalText } from '../zset/decimal.js';
import { canonical, type Value } from '../zset/value.js';

/** Stands for its first instant in UTC. */
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i;

/** A text of a query or path as a value of a column's type. @throws StillwaterError `malformed-value` */
export function coerceValue(name: string, type: DescribedType, text: string): Value {
  switch (type.kind) {
    case 'string':
      if (type.format === 'decimal') {
        // What the column has no place for equals none of its values, and compares with all of them.
        const value = decimalText(text, type.scale) ?? plainDecimalText(text);
        if (value !== null) return value;
        throw malformed(name, text, 'a number such as 12.50');
      }
      if (type.format === 'instant') {
        // What the column takes, and dates: nothing that it would refuse, such as a day that the month has not.
        const value = instantOf(DATE.test(text) ? `${text}T00:00:00Z` : text);
        if (value !== null) return value;
        throw malformed(name, text, 'a date-time such as 2001-01-01T05:00:00Z');
      }
      return text;
    case 'number': {
      const value = NUMBER.test(text) ? Number(text) : NaN;
      if (!Number.isFinite(value)) throw malformed(name, text, type.integer ? 'a whole number' : 'a number');
      return value + 0;
    }
    case 'boolean':
      if (text === 'true') return true;
      if (text === 'false') return false;
      throw malformed(name, text, 'true or false');
    case 'enum': {
      const value = type.values.find((each) => String(each) === text);
      if (value === undefined) throw malformed(name, text, `one of ${type.values.join(', ')}`);
      return value;
    }
    case 'array':
    case 'object':
      try {
        return canonical(JSON.parse(text));
      } catch {
        throw malformed(name, text, 'JSON');
      }
    case 'json':
      try {
        return canonical(JSON.parse(text));
      } catch {
        return text;
      }
  }
}

function malformed(name: string, text: string, wanted: string): StillwaterError {
  return new StillwaterError('malformed-value', {
    what: `"${name}" takes ${wanted}.`,
    evidence: `given  ${text.slice(0, 200) || '(nothing)'}`,
    consequence: 'Nothing was read.',
    remedy: 'Correct the value.',
  });
}
