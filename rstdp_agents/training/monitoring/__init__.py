"""What a run tells while it goes: TensorBoard, monitor.csv, pictures and warnings."""
