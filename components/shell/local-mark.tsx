'use client';

import { useEffect, useState } from 'react';
import { admin } from '@/lib/client/identity';

/** Says on every screen that nobody signs in here; nothing where people do. */
export function LocalMark() {
  const [isLocal, setLocal] = useState(false);
  useEffect(() => {
    let gone = false;
    admin.me().then(
      (me) => {
        if (!gone) setLocal(me.auth === 'local');
      },
      // Not being able to tell is no reason to disturb the screen: it says itself that it is offline.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, []);
  if (!isLocal) return null;
  return (
    <span
      title="OPENCONDUCTOR_AUTH=local: nobody signs in, and whoever can use this machine is the owner."
      className="text-warn"
    >
      LOCAL · NO SIGN-IN
    </span>
  );
}
