import { sourceLogContract } from './source-log.contract.js';

sourceLogContract();
