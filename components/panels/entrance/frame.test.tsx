import { renderToString } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { SignIn } from '@/components/panels/entrance/sign-in';

describe('a form before the screen', () => {
  it('takes nothing in while it is only the HTML of the server', () => {
    expect(renderToString(<SignIn />)).toMatch(
      /<fieldset disabled=""[^>]*>.*<input.*type="submit".*<\/fieldset>/,
    );
  });
});
