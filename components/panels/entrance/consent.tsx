'use client';

import { useEffect, useState } from 'react';
import { Frame } from '@/components/panels/entrance/frame';
import { Button } from '@/components/ui/button';
import { entrance } from '@/lib/client/identity';
import { PERMISSIONS } from '@/lib/protocol/permissions';

/** `/consent`: a program asks to act for the person who is signed in (OAuth 2.1). */
export function Consent() {
  const [asked, setAsked] = useState<URLSearchParams | null>(null);
  useEffect(() => setAsked(new URLSearchParams(window.location.search)), []);
  const answer = async (accept: boolean) => {
    const { url, redirect_uri } = await entrance.consent(accept, window.location.search.slice(1));
    window.location.assign(url ?? redirect_uri ?? '/');
  };
  const scopes = (asked?.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  return (
    <Frame
      code="OAUT"
      title="Grant access"
      action="Allow"
      onSend={() => answer(true)}
      more={<Button onClick={() => void answer(false)}>Refuse</Button>}
    >
      <p className="m-0 text-text">
        The program <span className="text-accent">{asked?.get('client_id') ?? '…'}</span> asks to act for you:
      </p>
      <ul className="m-0 flex list-none flex-col gap-[4px] p-0">
        {scopes.map((scope) => (
          <li key={scope}>
            <span className="text-text">{scope}</span>{' '}
            <span className="text-dim">
              {(PERMISSIONS as Record<string, string>)[scope] ?? 'Who you are.'}
            </span>
          </li>
        ))}
      </ul>
    </Frame>
  );
}
