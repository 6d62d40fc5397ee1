'use client';

import { useEffect, useState } from 'react';
import { Frame } from '@/components/panels/entrance/frame';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { entrance, returnPath } from '@/lib/client/identity';

/** `/signin`: by e-mail and password, or at the organisation's own provider. */
export function SignIn() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [sso, setSso] = useState(false);
  useEffect(() => {
    entrance.ways().then(
      (ways) => setSso(ways.sso),
      () => setSso(false),
    );
  }, []);
  const send = async () => {
    const answer = (await entrance.signIn(email, password)) as { url?: unknown; redirect?: unknown };
    // An OAuth client that sent somebody here gets them back.
    const back = answer.redirect === true && typeof answer.url === 'string' ? answer.url : null;
    window.location.assign(back ?? returnPath(window.location.search));
  };
  const away = async () => {
    const { url } = await entrance.sso(returnPath(window.location.search));
    window.location.assign(url);
  };
  return (
    <Frame
      code="AUTH"
      title="Sign in"
      action="Sign in"
      onSend={send}
      more={sso ? <Button onClick={() => void away()}>Single sign-on</Button> : null}
    >
      <Field
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        autoFocus
        value={email}
        onText={setEmail}
      />
      <Field
        label="Password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onText={setPassword}
      />
    </Frame>
  );
}
