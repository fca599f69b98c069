/** A notification of APIv3 as it is handed out: the envelope, and the resource decrypted. */
export interface Notified<EventType extends string, Resource> {
  /** Id of the notification; a repeated one has the same. */
  readonly id: string;
  /** When it was made, as `2015-05-20T13:29:35+08:00`. */
  readonly create_time: string;
  readonly event_type: EventType;
  readonly resource_type: string;
  readonly summary: string;
  /** The resource, decrypted. */
  readonly resource: Resource;
}
