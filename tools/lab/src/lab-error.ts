export type LabErrorCode =
  | 'LAB_PACKAGE_MISSING'
  | 'LAB_COMMAND_FAILED'
  | 'LAB_PROCESS_ENDED'
  | 'LAB_TIMEOUT'
  | 'LAB_INVALID'
  | 'LAB_GUEST_FAILED'
  | 'LAB_REQUEST_FAILED';

/** What failed in the lab, with a stable code and, in `hint`, what to do next. */
export class LabError extends Error {
  readonly code: LabErrorCode;
  readonly hint: string | undefined;

  constructor(code: LabErrorCode, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LabError';
    this.code = code;
    this.hint = options.hint;
  }
}
