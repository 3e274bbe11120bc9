"""The mouse: a spinal cord of published populations; its brain and body join it here."""
