/** Why there is no room token: `status` is 0 if nothing answered at all. */
export class TokenError extends Error {
  readonly status: number;
  readonly url: string;

  constructor(url: string, status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "TokenError";
    this.url = url;
    this.status = status;
  }
}

/** Where tokens come from: the `parley-token-url` of the page, so that another deployment names its own backend there. */
export function tokenURL(page: Document = document): string {
  const meta = page.querySelector('meta[name="parley-token-url"]');
  return meta?.getAttribute("content") || "/dev/token";
}

/** Asks for a token for one room and identity. Fails with a TokenError. */
export async function fetchToken(room: string, identity: string, signal: AbortSignal, url: string = tokenURL()): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ room, identity }),
      signal,
    });
  } catch (cause) {
    throw new TokenError(url, 0, "nothing answered", cause);
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new TokenError(url, response.status, said(body) ?? response.statusText);
  const token = (body as { token?: unknown } | undefined)?.token;
  if (typeof token !== "string") throw new TokenError(url, response.status, "the answer holds no token");
  return token;
}

function said(body: unknown): string | undefined {
  const message = (body as { message?: unknown } | undefined)?.message;
  return typeof message === "string" ? message : undefined;
}
