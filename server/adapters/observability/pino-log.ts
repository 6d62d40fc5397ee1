import pino from 'pino';
import type { Log, LogFacts } from '@/server/ports/log';

/**
 * JSON lines in the pattern {timestamp, level, operation, …facts}: timestamp is ISO 8601 UTC, level in capitals.
 *
 * @param level least severity that is written
 * @param destination file descriptor; 2 (stderr) keeps stdout for programs
 * @param context facts of whatever the line is written in the middle of, such as a request's trace
 */
export function createLog(level: string, destination = 2, context: () => LogFacts = () => ({})): Log {
  const root = pino(
    {
      level,
      messageKey: 'operation',
      base: null,
      mixin: context,
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      redact: {
        paths: ['authorization', '*.authorization', 'password', '*.password', 'token', '*.token'],
        censor: '[redacted]',
      },
    },
    pino.destination({ dest: destination, sync: false }),
  );
  return wrap(root);
}

function wrap(logger: pino.Logger): Log {
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (operation: string, facts: LogFacts = {}): void =>
      logger[level](facts, operation);
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    with: (facts) => wrap(logger.child(facts)),
  };
}
