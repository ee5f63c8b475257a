/** So many texts are looked through as quickly as a map is asked, which takes the hash of a text. */
const FEW = 8;

interface Link {
  readonly text: string;
  weight: number;
  next: Link | null;
}

/** A map from texts to weights. Mostly of few: these are a chain, which takes a fraction of a map's memory. */
export class TextWeights {
  #size = 0;
  #first: Link | null = null;
  #many: Map<string, number> | null = null;

  get size(): number {
    return this.#many?.size ?? this.#size;
  }

  get(text: string): number | undefined {
    return this.#many === null ? this.#find(text)?.weight : this.#many.get(text);
  }

  has(text: string): boolean {
    return this.get(text) !== undefined;
  }

  set(text: string, weight: number): void {
    if (this.#many !== null) {
      this.#many.set(text, weight);
      return;
    }
    const link = this.#find(text);
    if (link !== null) link.weight = weight;
    else this.add(text, weight);
  }

  /** The same of a text that is not there. */
  add(text: string, weight: number): void {
    if (this.#many !== null) this.#many.set(text, weight);
    else if (this.#size < FEW) {
      this.#first = { text, weight, next: this.#first };
      this.#size++;
    } else this.#many = new Map(this).set(text, weight);
  }

  delete(text: string): boolean {
    if (this.#many !== null) return this.#many.delete(text);
    let before: Link | null = null;
    for (let link = this.#first; link !== null; link = link.next) {
      if (link.text === text) {
        if (before === null) this.#first = link.next;
        else before.next = link.next;
        this.#size--;
        return true;
      }
      before = link;
    }
    return false;
  }

  *[Symbol.iterator](): IterableIterator<[text: string, weight: number]> {
    if (this.#many !== null) yield* this.#many;
    else for (let link = this.#first; link !== null; link = link.next) yield [link.text, link.weight];
  }

  /** The texts whose weight is above 0, in no order. */
  present(): string[] {
    const present: string[] = [];
    if (this.#many === null) {
      for (let link = this.#first; link !== null; link = link.next)
        if (link.weight > 0) present.push(link.text);
    } else for (const [text, weight] of this.#many) if (weight > 0) present.push(text);
    return present;
  }

  #find(text: string): Link | null {
    for (let link = this.#first; link !== null; link = link.next) if (link.text === text) return link;
    return null;
  }
}
