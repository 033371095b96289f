"""The only room that touches SIP sockets."""
