/** Messages of the DMTF Base registry (DSP8011) that the simulator sends, with their HTTP status and text. */
const messages = {
  AccessDenied: [403, 'While attempting to establish a connection to %1, the service denied access.'],
  ActionNotSupported: [400, 'The action %1 is not supported by the resource.'],
  ActionParameterMissing: [400, 'The action %1 requires the parameter %2 to be present in the request body.'],
  ActionParameterUnknown: [400, 'The action %1 was submitted with the invalid parameter %2.'],
  ActionParameterValueNotInList: [
    400,
    "The value '%1' for the parameter %2 in the action %3 is not in the list of acceptable values.",
  ],
  ActionParameterValueTypeError: [
    400,
    "The value '%1' for the parameter %2 in the action %3 is of a different type than the parameter can accept.",
  ],
  CouldNotEstablishConnection: [400, 'The service failed to establish a connection with the URI %1.'],
  GeneralError: [500, 'A general error has occurred. See Resolution for information on how to resolve the error.'],
  InternalError: [500, 'The request failed due to an internal service error: %1'],
  MalformedJSON: [
    400,
    'The request body submitted was malformed JSON and could not be parsed by the receiving service.',
  ],
  NoValidSession: [401, 'There is no valid session established with the implementation.'],
  OperationNotAllowed: [405, 'The HTTP method is not allowed on this resource.'],
  PreconditionFailed: [412, 'The ETag supplied did not match the current ETag of the resource.'],
  PreconditionRequired: [428, 'A precondition header or annotation is required to change this resource.'],
  PropertyNotWritable: [400, 'The property %1 is a read-only property and cannot be assigned a value.'],
  PropertyUnknown: [400, 'The property %1 is not in the list of valid properties for the resource.'],
  PropertyValueConflict: [
    400,
    "The property '%1' could not be written because its value would conflict with the value of the '%2' property.",
  ],
  PropertyValueNotInList: [400, "The value '%1' for the property %2 is not in the list of acceptable values."],
  PropertyValueTypeError: [
    400,
    "The value '%1' for the property %2 is of a different type than the property can accept.",
  ],
  PropertyMissing: [400, 'The property %1 is a required property and must be included in the request.'],
  ResourceAtUriUnauthorized: [
    401,
    'While accessing the resource at %1, the service received an authorization error %2.',
  ],
  ResourceInUse: [409, 'The change to the requested resource failed because the resource is in use or in transition.'],
  ResourceMissingAtURI: [404, 'The resource at the URI %1 was not found.'],
  ServiceTemporarilyUnavailable: [503, 'The service is temporarily unavailable. Retry in %1 seconds.'],
  SessionLimitExceeded: [
    503,
    'The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation.',
  ],
  UnrecognizedRequestBody: [400, 'The service detected a malformed request body that it was unable to interpret.'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export type MessageId = keyof typeof messages;

/** An answer other than success; the error handler of the server turns it into a DMTF error body. */
export class RedfishError extends Error {
  readonly status: number;
  readonly messageId: MessageId;
  readonly args: readonly string[];

  constructor(messageId: MessageId, args: readonly string[] = [], status?: number) {
    const [defaultStatus, text] = messages[messageId];
    super(args.reduce((filled, arg, index) => filled.replace(`%${index + 1}`, () => arg), text));
    this.name = 'RedfishError';
    this.messageId = messageId;
    this.args = args;
    this.status = status ?? defaultStatus;
  }
}

/** What a service adds to the answer to a change that counts from the next start on. */
export const resetRequired = {
  '@Message.ExtendedInfo': [
    {
      '@odata.type': '#Message.v1_1_2.Message',
      MessageId: 'Base.1.18.ResetRequired',
      Message: 'In order to apply changes, a component reset is required.',
      MessageArgs: [],
      MessageSeverity: 'Warning',
      Resolution: 'Reset the system.',
    },
  ],
} as const;

/** The error body of the Redfish specification (DSP0266, "Error responses"). */
export function errorBody(error: RedfishError): Readonly<Record<string, unknown>> {
  const message = {
    '@odata.type': '#Message.v1_1_2.Message',
    MessageId: `Base.1.18.${error.messageId}`,
    Message: error.message,
    MessageArgs: error.args,
    MessageSeverity: error.status >= 500 ? 'Critical' : 'Warning',
    Resolution: 'Correct the request and submit it again.',
  };
  return {
    error: {
      code: `Base.1.18.${error.messageId}`,
      message: error.message,
      '@Message.ExtendedInfo': [message],
    },
  };
}
