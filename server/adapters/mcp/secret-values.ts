import { Masker } from '@/lib/engine/mask';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';

/** Shorter values are in every text. */
const LEAST = 4;

/**
 * Values of secrets that one server was started or is called with, also earlier ones. Whatever the server says (answers, errors,
 * log lines, questions, progress) has them taken out before anybody keeps it: a history is never to hold a secret.
 */
export class SecretValues {
  private readonly values = new Set<string>();
  private masker: Masker | null = null;

  add(value: string): void {
    if (value.length < LEAST || this.values.has(value)) return;
    this.values.add(value);
    this.masker = new Masker(null, new Set(this.values));
  }

  text(text: string): string {
    return this.masker === null ? text : this.masker.text(text);
  }

  /** Any JSON value, keys included; the very same one for servers without secrets. */
  json<T>(value: T): T {
    return this.masker === null ? value : (this.masker.value(value as Json) as T);
  }

  /** An error with its message and details cleared of secrets. */
  inError(error: AppError): AppError {
    if (this.masker === null) return error;
    const message = this.text(error.message);
    const details = error.details === undefined ? undefined : this.json(error.details);
    if (message === error.message && JSON.stringify(details) === JSON.stringify(error.details)) return error;
    // The cause may say it as well, and is left behind.
    return new AppError(error.code, message, {
      ...(error.path === undefined ? {} : { path: error.path }),
      ...(details === undefined ? {} : { details }),
    });
  }
}
