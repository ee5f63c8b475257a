import type { Expression } from './expression.js';

/** Expressions for people, in a line. */

const SOURCE_TEXT_MAX = 60;

export function shortSource(source: string): string {
  const text = source.replace(/\s+/g, ' ').trim();
  return text.length > SOURCE_TEXT_MAX ? `${text.slice(0, SOURCE_TEXT_MAX - 1)}…` : text;
}

export function namedText({ name, value }: { readonly name: string; readonly value: Expression }): string {
  const text = expressionText(value);
  return text === name ? name : `${name} = ${text}`;
}

export const expressionText = (value: Expression): string =>
  value.kind === 'path' ? value.path : value.kind === 'position' ? '$position' : shortSource(value.fn.source);
