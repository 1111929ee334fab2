"""What a run reports while it trains: TensorBoard, monitor.csv, pictures and warnings."""
