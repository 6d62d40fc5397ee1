import { describe, expect, it } from 'vitest';
import { CallAbort } from '@/server/workers/engine/call-abort';

describe('CallAbort', () => {
  it('aborts a signal that was asked for before or after, with the first reason', () => {
    const call = new CallAbort();
    const before = call.signal;
    expect([call.aborted, before.aborted]).toEqual([false, false]);
    call.abort('cancelled');
    call.abort('dropped');
    expect([call.aborted, call.reason, before.aborted, before.reason]).toEqual([
      true,
      'cancelled',
      true,
      'cancelled',
    ]);
    const late = new CallAbort();
    late.abort('dropped');
    expect([late.signal.aborted, late.signal.reason]).toEqual([true, 'dropped']);
    expect(late.signal).toBe(late.signal);
  });

  it('tells listeners once, those that come late at once, those that left never', () => {
    const call = new CallAbort();
    const told: string[] = [];
    call.whenAborted(() => told.push('first'));
    const leave = call.whenAborted(() => told.push('left'));
    leave();
    call.abort('x');
    call.abort('y');
    call.whenAborted(() => told.push('late'));
    expect(told).toEqual(['first', 'late']);
  });
});
