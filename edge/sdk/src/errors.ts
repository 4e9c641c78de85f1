/** What a {@link SignalError} is made of. */
export interface SignalErrorDetails {
  status?: number | undefined;
  retryable?: boolean | undefined;
  /** Milliseconds. */
  retryAfter?: number | undefined;
  rule?: string | undefined;
  seq?: number | undefined;
  cause?: unknown;
}

/**
 * A frame was refused, by the edge or by the SDK before it was sent.
 *
 * `code` is one of the edge's (docs/errors.md) or one of the SDK's own, which have the status 0:
 * `closed`, `left`, `unknown_outcome`, `not_sent`, `outbox_full`, `aborted`, `timeout`, `no_token`.
 * Judge a code that you don't know by `status`, which is like HTTP's, and by `retryable`.
 */
export class SignalError extends Error {
  override readonly name: string = "SignalError";
  readonly code: string;
  /** Like HTTP's; 0 for the SDK's own codes. */
  readonly status: number;
  /** The same, sent again as a new frame, may succeed. */
  readonly retryable: boolean;
  /** Milliseconds to wait before that, if known. */
  readonly retryAfter: number | undefined;
  /** The rule of the candidate filter that refused it. */
  readonly rule: string | undefined;
  /** The number of the frame, if it has used one. */
  readonly seq: number | undefined;

  constructor(code: string, message: string, details: SignalErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status ?? 0;
    this.retryable = details.retryable ?? false;
    this.retryAfter = details.retryAfter;
    this.rule = details.rule;
    this.seq = details.seq;
  }

  /** Where the code's causes and cures are explained. */
  get docs(): string {
    return `https://github.com/parley-rtc/parley/blob/main/docs/errors.md#${this.code}`;
  }
}

/** The connection was closed. As what a client ended with: the server ended the session for good. */
export class ClosedError extends Error {
  override readonly name: string = "ClosedError";
  /** Of the WebSocket (docs/errors.md, "Close codes"). */
  readonly closeCode: number;
  readonly reason: string;

  constructor(closeCode: number, reason: string) {
    super(`closed with code ${closeCode}${reason && ` (${reason})`}`);
    this.closeCode = closeCode;
    this.reason = reason;
  }
}
