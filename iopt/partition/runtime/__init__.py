"""Plans carried out: on workers of one process (`local`), or on one process per device over torch.distributed."""
