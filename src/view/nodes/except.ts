import type { NodeKind } from '../node-kind.js';
import type { ExceptNode } from '../plan.js';
import { comparing } from './comparing.js';

export const except: NodeKind<ExceptNode> = comparing('except', 'the rows that are not in the other');
