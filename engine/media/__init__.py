"""The media gateway: RTP and RTCP, relayed and played outside Python."""
