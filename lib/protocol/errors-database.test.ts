import { describe, expect, it } from 'vitest';
import { toAppError } from '@/lib/protocol/errors';

describe('toAppError', () => {
  it.each([
    'timeout exceeded when trying to connect',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'Client has encountered a connection error and is not queryable',
    'terminating connection due to administrator command',
    'Database error. Code: `57P03`. Message: `the database system is starting up`',
    'Too many database connections opened: sorry, too many clients already',
    'Cannot use a pool after calling end on the pool',
  ])('"%s" is a database that is away', (message) => {
    expect(toAppError(new Error(message)).code).toBe('DATABASE_UNAVAILABLE');
  });

  it.each(['relation "x" does not exist', 'Database error. Code: `22P02`. Message: `bad`', ''])(
    '"%s" is a fault of ours',
    (message) => {
      expect(toAppError(new Error(message)).code).toBe('INTERNAL');
    },
  );
});
