import { isAppError } from '@/lib/protocol/errors';
import type { Failure } from '@/lib/protocol/run';

/** A thrown error as a failure of a node. Anything but an AppError is a bug of ours and goes up. */
export function toFailure(error: unknown, nodePath?: string): Failure {
  if (!isAppError(error)) throw error;
  return {
    code: error.code,
    message: error.path === undefined ? error.message : `${error.message} (at ${error.path})`,
    ...(nodePath === undefined ? {} : { nodePath }),
  };
}
