import { ObjectStore } from '../../runtime/ports/object-store.js';

/** Objects in memory. */
export class MemoryObjectStore extends ObjectStore {
  readonly objects = new Map<string, Uint8Array>();

  async put(name: string, content: Uint8Array): Promise<void> {
    this.objects.set(name, content);
  }

  async get(name: string): Promise<Uint8Array | null> {
    return this.objects.get(name) ?? null;
  }

  async list(folder: string): Promise<string[]> {
    return [...this.objects.keys()].filter((name) => name.startsWith(`${folder}/`));
  }

  async remove(name: string): Promise<void> {
    this.objects.delete(name);
  }
}
