"""Makes oslo.messaging's in-memory transport deliver what a broker would deliver."""
from cinder import rpc
from oslo_messaging._drivers import common
from oslo_messaging._drivers import impl_fake
from oslo_serialization import jsonutils


def as_json(value):
    return jsonutils.loads(jsonutils.dumps(value))


def behave_like_a_broker():
    """Sends messages, replies and failures through JSON.

    The in-memory transport hands over the objects themselves. Cinder relies on plain data in messages, and on failures that
    changed their class on the way: that decides about the HTTP status.
    """
    deliver = impl_fake.FakeExchange.deliver_message

    def deliver_message(exchange, topic, context, message, *args, **kwargs):
        deliver(exchange, topic, as_json(context), as_json(message), *args, **kwargs)

    def reply(message, reply=None, failure=None):
        if message._reply_q is None:
            return
        if failure is not None:
            failure = common.deserialize_remote_exception(
                common.serialize_remote_exception(failure), rpc.get_allowed_exmods())
        message._reply_q.put((as_json(reply), failure))

    impl_fake.FakeExchange.deliver_message = deliver_message
    impl_fake.FakeIncomingMessage.reply = reply
