"""WhatsApp gateways: one file each, all speaking the one vocabulary of `waqcore.core.outcome`."""
