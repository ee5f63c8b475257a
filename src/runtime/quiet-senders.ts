/**
 * Of whom a receiver asks what there is. Of all, where it has just taken something; of those that have news, where it waited for
 * that; and where time has passed and nothing more, of one after the other: so it comes out that the slot of one went back,
 * and a receiver with nothing to do asks as little of many as of few.
 */
export class QuietSenders {
  #news: ReadonlySet<string> | null = null;
  #turn = 0;

  constructor(
    /** What is waited for of each. */
    readonly redisKeys: readonly string[],
  ) {}

  /** A wait for news has ended. */
  heard(news: readonly string[]): void {
    this.#news = new Set(news);
  }

  /** What was heard last is not of now. */
  forget(): void {
    this.#news = null;
  }

  /** The last wait came to nothing. */
  get isSilent(): boolean {
    return this.#news?.size === 0;
  }

  /** Those to ask now, by their number. What was heard counts once. */
  ask(): number[] {
    const news = this.#news;
    this.#news = null;
    const turn = this.#turn++ % this.redisKeys.length;
    return [...this.redisKeys.keys()].filter(
      (sender) => news === null || news.has(this.redisKeys[sender]!) || sender === turn,
    );
  }
}
