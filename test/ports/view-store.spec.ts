import { viewStoreContract } from './view-store.contract.js';

viewStoreContract();
