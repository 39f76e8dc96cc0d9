/**
 * The Idempotency-Key of a press of the button. The same request keeps its key until an answer is final: a double click, and a press after an
 * answer that was lost, ask for one race. After that the next press means another race.
 */
export class Press {
  private key = '';
  private body = '';

  constructor(private readonly random: () => string = randomKey) {}

  keyFor(body: string): string {
    if (this.key === '' || body !== this.body) {
      this.key = this.random();
      this.body = body;
    }
    return this.key;
  }

  answered(): void {
    this.key = '';
  }
}

/** 128 random bits. crypto.randomUUID is missing where Grafana is reached over plain HTTP by a name. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
