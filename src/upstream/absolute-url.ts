import { z } from 'zod';

/** An http or https URL without user name, password or fragment, as text. */
export const absoluteUrl = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== undefined) {
    context.addIssue({ code: 'custom', message: problem });
  }
});

function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) {
    return 'not an absolute URL';
  }
  const parsed = new URL(text);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    return 'the URL must begin with http:// or https://';
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return 'no user name or password in the URL: use credential';
  }
  if (parsed.hash !== '') {
    return 'no fragment in the URL';
  }
  return undefined;
}
