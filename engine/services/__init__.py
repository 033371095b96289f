"""Services: small Lua files, each running call of one in a sandboxed VM of its own."""

from engine.services.host import LuaServices

__all__ = ["LuaServices"]
