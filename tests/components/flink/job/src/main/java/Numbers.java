import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.filesystem.RollingPolicy;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.DefaultRollingPolicy;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.util.Collector;

/**
 * Writes each number below a limit as one line "number,key,turn,padding", where turn is how many numbers of its key
 * came before, itself included. Nothing was lost and nothing was done twice, if and only if the committed lines have
 * every number once, and the turns of each key are 1, 2, 3 and so on.
 *
 * <p>Arguments: the folder of the files, the limit, numbers per second, and "hold" where files stay open over
 * checkpoints, or "roll" where each checkpoint ends them.
 */
public class Numbers {
  private static final int KEYS = 3000;
  private static final String PADDING = "-".repeat(500);

  public static void main(String[] arguments) throws Exception {
    var limit = Long.parseLong(arguments[1]);
    var pace = RateLimiterStrategy.<Object>perSecond(Double.parseDouble(arguments[2]));
    GeneratorFunction<Long, Long> itself = number -> number;
    var numbers = new DataGeneratorSource<>(itself, limit, pace, Types.LONG);

    var environment = StreamExecutionEnvironment.getExecutionEnvironment();
    environment
        .fromSource(numbers, WatermarkStrategy.noWatermarks(), "numbers")
        .uid("numbers")
        .keyBy(number -> (int) (number % KEYS), Types.INT)
        .process(new Turns())
        .uid("turns")
        .returns(Types.STRING)
        .sinkTo(files(arguments[0], arguments[3]))
        .uid("files");
    environment.execute("numbers");
  }

  private static FileSink<String> files(String folder, String policy) {
    return FileSink.forRowFormat(new Path(folder), new SimpleStringEncoder<String>("UTF-8"))
        .withRollingPolicy(rolling(policy))
        .withBucketCheckInterval(1000)
        .build();
  }

  private static RollingPolicy<String, String> rolling(String policy) {
    return switch (policy) {
      case "roll" -> OnCheckpointRollingPolicy.build();
      case "hold" -> DefaultRollingPolicy.builder()
          .withMaxPartSize(MemorySize.ofMebiBytes(64))
          .withRolloverInterval(Duration.ofHours(1))
          .withInactivityInterval(Duration.ofHours(1))
          .build();
      default -> throw new IllegalArgumentException(policy);
    };
  }

  /** Counts per key in RocksDB, with bytes beside the count that no compression makes small. */
  private static class Turns extends KeyedProcessFunction<Integer, Long, String> {
    private transient ValueState<Long> turn;
    private transient ValueState<byte[]> ballast;

    @Override
    public void open(OpenContext context) {
      turn = getRuntimeContext().getState(new ValueStateDescriptor<>("turn", Types.LONG));
      ballast =
          getRuntimeContext()
              .getState(new ValueStateDescriptor<>("ballast", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
    }

    @Override
    public void processElement(Long number, Context context, Collector<String> lines) throws Exception {
      var last = turn.value();
      var now = last == null ? 1 : last + 1;
      turn.update(now);
      var bytes = new byte[4000];
      ThreadLocalRandom.current().nextBytes(bytes);
      ballast.update(bytes);
      lines.collect(number + "," + context.getCurrentKey() + "," + now + "," + PADDING);
    }
  }
}
