"""Live trading on 01.xyz: actions out, orders and account in, all of it proven."""
