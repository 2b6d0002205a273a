package benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The engine workload on Kafka Streams: arguments are the task (JSON) and "default" or "tuned". */
public final class Merge {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ROWS = "rows";

    private Merge() {}

    public static void main(String[] arguments) throws IOException {
        JsonNode task = JSON.readTree(arguments[0]);
        boolean tuned = arguments[1].equals("tuned");
        KafkaStreams streams = new KafkaStreams(topology(task, tuned), settings(task, tuned));
        streams.setUncaughtExceptionHandler(
            error -> {
                error.printStackTrace();
                return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
            });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(10))));
        streams.start();
    }

    private static Topology topology(JsonNode task, boolean tuned) {
        StoreBuilder<KeyValueStore<byte[], byte[]>> rows =
            Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(ROWS), Serdes.ByteArray(), Serdes.ByteArray());
        return new Topology()
            .addSource("source", task.get("source").asText())
            .addProcessor(ROWS + "-merge", Merger::new, "source")
            .addStateStore(tuned ? rows.withCachingEnabled() : rows, ROWS + "-merge")
            .addSink("output", task.get("output").asText(), ROWS + "-merge");
    }

    private static Properties settings(JsonNode task, boolean tuned) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, task.get("group").asText());
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, task.get("brokers").asText());
        settings.put(StreamsConfig.STATE_DIR_CONFIG, task.get("folder").asText());
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArray().getClass());
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArray().getClass());
        if (tuned) {
            tune(settings);
        }
        return settings;
    }

    /** What its documentation recommends for throughput. */
    private static void tune(Properties settings) {
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200); // default with exactly once: 100
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20); // default 10 MB
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 262_144); // default 16 KB
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000); // default 1,000
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 5_000); // default 1,000
    }

    /** Merges the events of each key into one object and counts them; one output per event. */
    private static final class Merger implements Processor<byte[], byte[], byte[], byte[]> {
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<byte[], byte[]> rows;

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            this.rows = context.getStateStore(ROWS);
        }

        @Override
        public void process(Record<byte[], byte[]> event) {
            try {
                byte[] found = rows.get(event.key());
                ObjectNode row = found == null ? emptyRow() : (ObjectNode) JSON.readTree(found);
                row.put("count", row.get("count").asInt() + 1);
                ((ObjectNode) row.get("merged")).setAll((ObjectNode) JSON.readTree(event.value()));
                byte[] encoded = JSON.writeValueAsBytes(row);
                rows.put(event.key(), encoded);
                context.forward(event.withValue(encoded));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        private static ObjectNode emptyRow() {
            ObjectNode row = JSON.createObjectNode().put("count", 0);
            row.putObject("merged");
            return row;
        }
    }
}
