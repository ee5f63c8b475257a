import { StillwaterError } from '../../errors/stillwater-error.js';
import { isDecimal } from '../../view/column.js';
import type { OrderTerm } from './rows-query.js';
import { pathsOf, typeAt, type DescribedType, type ViewDescription } from './view-description.js';

/** The type of a column or path that somebody named. @throws StillwaterError `unknown-column` */
export function columnAt(description: ViewDescription, path: string): DescribedType {
  const type = typeAt(description.columns, path);
  if (type) return type;
  throw new StillwaterError('unknown-column', {
    what: `There is no column "${path}".`,
    evidence: `columns  ${pathsOf(description.columns).join(', ')}`,
    consequence: 'Nothing was read.',
    remedy: 'Use one of these names.',
  });
}

/** `flights.desc,airport.name.asc.nullsfirst`: what `order=` and indexes are written in. */
export function parseOrder(text: string, description: ViewDescription): OrderTerm[] {
  return text.split(',').map((term) => {
    let path = term.trim();
    let nulls: 'nullsfirst' | 'nullslast' | null = null;
    let direction: 'asc' | 'desc' = 'asc';
    const words = /^(.+?)(?:\.(asc|desc))?(?:\.(nullsfirst|nullslast))?$/.exec(path);
    // A column may itself be called "x.desc".
    if (words && typeAt(description.columns, path) === null) {
      path = words[1]!;
      direction = (words[2] as 'asc' | 'desc' | undefined) ?? 'asc';
      nulls = (words[3] as 'nullsfirst' | 'nullslast' | undefined) ?? null;
    }
    const type = columnAt(description, path);
    if (type.kind === 'object' || type.kind === 'array')
      throw new StillwaterError('malformed-order', {
        what: `Rows cannot be ordered by "${path}".`,
        evidence: `It holds ${type.kind === 'array' ? 'arrays' : 'objects'}.`,
        consequence: 'Nothing was read.',
        remedy:
          type.kind === 'object'
            ? `Order by something within it: ${pathsOf([{ name: path, type }])
                .slice(1)
                .join(', ')}`
            : 'Order by another column.',
      });
    const descending = direction === 'desc';
    return {
      path,
      descending,
      decimal: isDecimal(type),
      nullsFirst: nulls === null ? descending : nulls === 'nullsfirst',
    };
  });
}
