/** A decrypted APIv3 notification: the envelope and the resource. */
export interface Notified<EventType extends string, Resource> {
  /** Id of the notification; repeats have the same id. */
  readonly id: string;
  /** Creation time, such as `2015-05-20T13:29:35+08:00`. */
  readonly create_time: string;
  readonly event_type: EventType;
  readonly resource_type: string;
  readonly summary: string;
  /** The decrypted resource. */
  readonly resource: Resource;
}
